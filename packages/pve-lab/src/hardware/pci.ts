import type { Gpu } from "./description.ts";

/** A function of a card as /sys/bus/pci/devices shows it. */
export interface PciFunction {
  readonly address: string;
  /** File name → content, as far as lspci and scripts read it. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
}

const vendor = 0x10de;

interface Identity {
  readonly device: number;
  readonly class: number;
  readonly multifunction: boolean;
}

/** The first 64 bytes of a PCI configuration space, header type 0, filled up to 256. */
function configSpace({ device, class: kind, multifunction }: Identity): Uint8Array {
  const bytes = new Uint8Array(256);
  const view = new DataView(bytes.buffer);
  view.setUint16(0x00, vendor, true);
  view.setUint16(0x02, device, true);
  view.setUint16(0x04, 0x0006, true); // memory space, bus master
  view.setUint8(0x08, 0xa1); // revision
  view.setUint8(0x09, kind & 0xff);
  view.setUint8(0x0a, (kind >> 8) & 0xff);
  view.setUint8(0x0b, kind >> 16);
  view.setUint8(0x0e, multifunction ? 0x80 : 0);
  view.setUint16(0x2c, vendor, true);
  view.setUint16(0x2e, device, true);
  return bytes;
}

function hex(value: number, digits: number): string {
  return `0x${value.toString(16).padStart(digits, "0")}`;
}

function functionOf(address: string, identity: Identity): PciFunction {
  const { device, class: kind } = identity;
  const upper = (value: number, digits: number): string =>
    value.toString(16).toUpperCase().padStart(digits, "0");
  const modalias =
    `pci:v${upper(vendor, 8)}d${upper(device, 8)}sv${upper(vendor, 8)}sd${upper(device, 8)}` +
    `bc${upper(kind >> 16, 2)}sc${upper((kind >> 8) & 0xff, 2)}i${upper(kind & 0xff, 2)}`;
  const line = (text: string): string => `${text}\n`;
  return {
    address,
    files: {
      vendor: line(hex(vendor, 4)),
      device: line(hex(device, 4)),
      subsystem_vendor: line(hex(vendor, 4)),
      subsystem_device: line(hex(device, 4)),
      class: line(hex(kind, 6)),
      revision: line("0xa1"),
      irq: line("0"),
      enable: line("1"),
      numa_node: line("-1"),
      modalias: line(modalias),
      resource: "0x0000000000000000 0x0000000000000000 0x0000000000000000\n".repeat(13),
      config: configSpace(identity),
    },
  };
}

/** A card has two functions, as real ones: graphics, and the sound of its outputs. */
export function pciFunctions(gpu: Gpu): PciFunction[] {
  return [
    functionOf(gpu.address, { device: Number(gpu.device), class: 0x03_00_00, multifunction: true }),
    functionOf(gpu.address.replace(/\.0$/, ".1"), {
      device: 0x1aef,
      class: 0x04_03_00,
      multifunction: true,
    }),
  ];
}

/** The files below /proc/driver/nvidia while the driver is loaded, by their path there. */
export function driverFiles(gpus: readonly Gpu[], version: string): Record<string, string> {
  const files: Record<string, string> = {
    version: `NVRM version: NVIDIA UNIX x86_64 Kernel Module  ${version}  (simulated by the lab)\n`,
    params: "ModifyDeviceFiles: 1\nDeviceFileUID: 0\nDeviceFileGID: 0\nDeviceFileMode: 438\n",
  };
  for (const gpu of gpus) {
    files[`gpus/${gpu.address}/information`] = [
      `Model: \t\t ${gpu.name}`,
      "IRQ:   \t\t 0",
      `GPU UUID: \t ${gpu.uuid}`,
      "Video BIOS: \t simulated",
      "Bus Type: \t PCIe",
      "DMA Size: \t 47 bits",
      `Bus Location: \t ${gpu.address}`,
      `Device Minor: \t ${gpu.index}`,
      "",
    ].join("\n");
    // No files of the real driver: what the lab's nvidia-smi cannot ask a card.
    files[`gpus/${gpu.address}/lab-persistence-mode`] = "Disabled\n";
    files[`gpus/${gpu.address}/lab-memory-mib`] = `${gpu.memoryMiB}\n`;
  }
  return files;
}
