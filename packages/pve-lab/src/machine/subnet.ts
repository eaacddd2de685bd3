/** An IPv4 network as a pair of numbers. */
export interface Network {
  readonly address: number;
  readonly prefix: number;
}

export function parseNetwork(text: string): Network | undefined {
  const match = /^(\d+)\.(\d+)\.(\d+)\.(\d+)(?:\/(\d+))?$/.exec(text);
  if (match === null) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const prefix = match[5] === undefined ? 32 : Number(match[5]);
  if (octets.some((octet) => octet > 255) || prefix > 32) return undefined;
  return { address: octets.reduce((sum, octet) => sum * 256 + octet, 0), prefix };
}

function overlap(left: Network, right: Network): boolean {
  const size = 2 ** (32 - Math.min(left.prefix, right.prefix));
  return Math.floor(left.address / size) === Math.floor(right.address / size);
}

/**
 * Chooses the third octet of a free 10.213.x.0/24.
 * @param used networks that the machine has routes or addresses for; the default route does not count
 * @param wanted the octet to prefer: the remembered one, or one that follows from the lab's id
 * @returns undefined if every one of them is taken
 */
export function chooseOctet(used: readonly string[], wanted: number): number | undefined {
  const networks = used
    .map(parseNetwork)
    .filter((network): network is Network => network !== undefined && network.prefix > 0);
  for (let distance = 0; distance < 254; distance++) {
    const octet = 1 + ((wanted - 1 + distance) % 254);
    const candidate: Network = { address: ((10 * 256 + 213) * 256 + octet) * 256, prefix: 24 };
    if (!networks.some((network) => overlap(network, candidate))) return octet;
  }
  return undefined;
}
