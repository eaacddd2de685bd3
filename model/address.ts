/** IPv4 arithmetic. Addresses are numbers; the schemas have checked the form. */

export interface Cidr {
  address: number;
  prefix: number;
}

export function parseAddress(text: string): number {
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

export function parseCidr(text: string): Cidr {
  const [address = "", prefix = "32"] = text.split("/");
  return { address: parseAddress(address), prefix: Number(prefix) };
}

export function sameSubnet(cidr: Cidr, address: number): boolean {
  const size = 2 ** (32 - cidr.prefix);
  return Math.floor(cidr.address / size) === Math.floor(address / size);
}

/** The subnet in the usual notation. */
export function subnet(cidr: Cidr): string {
  const size = 2 ** (32 - cidr.prefix);
  return `${formatAddress(Math.floor(cidr.address / size) * size)}/${cidr.prefix}`;
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** What is wrong with this as the address of a machine: the first and last of a subnet are not for machines. */
export function hostProblem(cidr: Cidr): string | undefined {
  if (cidr.prefix > 30) return undefined;
  const size = 2 ** (32 - cidr.prefix);
  const offset = cidr.address % size;
  if (offset === 0) return "is the subnet itself, not an address in it";
  if (offset === size - 1) return "is the broadcast address of its subnet";
  return undefined;
}
