import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { NodeFile } from "../image/node-file.ts";

const program = "/opt/pve-lab/node /opt/pve-lab/hardware.mjs";

/** kmod's tools by the paths of Debian's package, which dpkg knows them by. */
const tools = [
  "/sbin/modprobe",
  "/sbin/insmod",
  "/sbin/rmmod",
  "/sbin/modinfo",
  "/sbin/depmod",
  "/sbin/lsmod",
  "/bin/lsmod",
];

const front = (name: string): NodeFile => ({
  path: `/usr/lib/pve-lab/front/${name}`,
  mode: 0o755,
  text: `#!/bin/sh\n# Simulated by the lab: the machine's kernel loads no modules for it.\nexec ${program} ${name} "$@"\n`,
});

/** What the machine's uname says, with the release that the lab shows; marked in the version. */
const uname: NodeFile = {
  path: "/usr/lib/pve-lab/front/uname",
  mode: 0o755,
  text: `#!/bin/sh
# Simulated by the lab: release and version of the kernel; the rest is the machine's.
set -eu
real=/usr/lib/pve-lab/machine/bin-uname
[ -r /run/pve-lab/kernel-release ] || exec "$real" "$@"
said=$("$real" "$@")
read -r shown </run/pve-lab/kernel-release
replace() {
  case $said in *"$1"*) said=\${said%%"$1"*}$2\${said#*"$1"} ;; esac
}
replace "$("$real" -v)" '#1 SMP PREEMPT_DYNAMIC (simulated by the lab)'
replace "$("$real" -r)" "$shown"
printf '%s\\n' "$said"
`,
};

/** Diversions keep the lab's front in place when Debian's package is upgraded. */
const place: NodeFile = {
  path: "/usr/lib/pve-lab/place-fronts",
  mode: 0o755,
  text: `#!/bin/sh
set -eu
machine=/usr/lib/pve-lab/machine
mkdir -p "$machine"
for file in /bin/uname ${tools.join(" ")}; do
  front=/usr/lib/pve-lab/front/\${file##*/}
  [ "$(readlink "$file" || true)" != "$front" ] || continue
  aside=$machine/$(printf '%s' "\${file#/}" | tr / -)
  # Never a moment without the file: programs that start now need it.
  cp -a "$file" "$aside"
  dpkg-divert --quiet --local --no-rename --divert "$aside" --add "$file"
  ln -s "$front" "$file.lab"
  mv -f "$file.lab" "$file"
done
`,
};

/** Where packages put nvidia-smi: Debian's, and NVIDIA's own. */
export const smiPlaces = ["/usr/lib/nvidia/current/nvidia-smi", "/usr/bin/nvidia-smi"];

/**
 * Run after every call of dpkg, in the node and in guests with a card. No diversion: `update-alternatives` looks for
 * the file at its place while packages are being configured.
 */
const placeSmi: NodeFile = {
  path: "/usr/lib/pve-lab/place-nvidia-smi",
  mode: 0o755,
  text: `#!/bin/sh
# Puts the lab's simulated nvidia-smi in place of the one that a package has brought, and takes it away with it.
set -eu
front=/usr/lib/pve-lab/nvidia-smi
for file in ${smiPlaces.join(" ")}; do
  if [ ! -e "$file" ] && [ ! -L "$file" ]; then
    rm -f "$file.machine"
    continue
  fi
  [ ! -L "$file" ] || continue
  if [ "$(head -c 2 "$file")" != '#!' ]; then mv "$file" "$file.machine"; fi
  cmp -s "$front" "$file" || install -m 755 "$front" "$file"
done
`,
};

/** A kernel of the lab is its headers; what a boot loader would offer shows as an empty image, marked as such. */
const placeKernels: NodeFile = {
  path: "/usr/lib/pve-lab/place-kernels",
  mode: 0o755,
  text: `#!/bin/sh
set -eu
mark='simulated by the lab: no kernel lies here'
for folder in /lib/modules/*; do
  [ -e "$folder/build" ] || continue
  image=/boot/vmlinuz-\${folder##*/}
  [ -e "$image" ] || printf '%s\\n' "$mark" >"$image"
done
running=$(uname -r)
for image in /boot/vmlinuz-*; do
  release=\${image##*/vmlinuz-}
  if [ -e "$image" ] && ! [ -e "/lib/modules/$release/build" ] && [ "$release" != "$running" ]; then
    [ "$(head -c 40 "$image")" != "$(printf '%s' "$mark" | head -c 40)" ] || rm "$image"
  fi
done
[ -e "/boot/vmlinuz-$running" ] || printf '%s\\n' "$mark" >"/boot/vmlinuz-$running"
`,
};

const dpkgHook: NodeFile = {
  path: "/etc/dpkg/dpkg.cfg.d/pve-lab-simulated",
  mode: 0o644,
  text: `# The lab's simulated nvidia-smi follows the package that ships the real one.\npost-invoke=/usr/lib/pve-lab/place-nvidia-smi\n`,
};

/** In the node alone. */
const dpkgKernelHook: NodeFile = {
  path: "/etc/dpkg/dpkg.cfg.d/pve-lab-kernels",
  mode: 0o644,
  text: "# The lab's kernels follow the installed headers.\npost-invoke=/usr/lib/pve-lab/place-kernels\n",
};

const unit: NodeFile = {
  path: "/etc/systemd/system/lab-hardware.service",
  mode: 0o644,
  text: `[Unit]
Description=Simulated kernel and cards of the lab node
DefaultDependencies=no
After=lab-devices.service local-fs.target
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/usr/lib/pve-lab/place-fronts
ExecStartPre=/usr/lib/pve-lab/place-nvidia-smi
ExecStart=${program} boot
ExecStartPost=/usr/lib/pve-lab/place-kernels
ExecReload=/usr/lib/pve-lab/place-nvidia-smi
ExecReload=${program} apply

[Install]
WantedBy=sysinit.target
`,
};

/** Files that a guest with a card gets as well, for the packages that are installed inside it. */
export const guestFilePaths = ["/usr/lib/pve-lab/nvidia-smi", placeSmi.path, dpkgHook.path];

/** The simulated edge of the node: fronts of tools, and the unit that brings the hardware up. */
export function hardwareFiles(): NodeFile[] {
  const here = path.dirname(fileURLToPath(import.meta.url));
  return [
    ...tools.map((file) => front(path.basename(file))),
    uname,
    place,
    placeSmi,
    placeKernels,
    dpkgKernelHook,
    {
      path: "/usr/lib/pve-lab/nvidia-smi",
      mode: 0o755,
      text: readFileSync(path.join(here, "nvidia-smi.sh"), "utf8"),
    },
    dpkgHook,
    unit,
  ];
}
