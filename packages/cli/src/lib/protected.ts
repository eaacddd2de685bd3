import { root } from "./checkout.ts";
import type { PulumiEnvironment } from "./environment.ts";
import { urnParts } from "./events.ts";
import { Failure } from "./failure.ts";
import { capture } from "./process.ts";

interface Exported {
  readonly deployment?: {
    readonly resources?: readonly {
      readonly urn: string;
      readonly protect?: boolean;
      readonly custom?: boolean;
    }[];
  };
}

/** URNs of what `protect` keeps, as the output of `pulumi stack export` has it; without mere components. */
export function protectedIn(exported: string): string[] {
  const { deployment } = JSON.parse(exported) as Exported;
  return (deployment?.resources ?? [])
    .filter(({ protect, custom }) => protect === true && custom === true)
    .map(({ urn }) => urn);
}

/** In the words of the configuration: `910`, `pool-tank`, `volume-910/data`. */
const nameOf = (urn: string): string => urnParts(urn).name;

/**
 * Pulumi sees what is protected only when its turn to be deleted has come; the whole is refused before that.
 * @throws Failure that names what is protected, and the two ways on
 */
export async function refuseProtected(stack: string, environment: PulumiEnvironment): Promise<void> {
  const { code, stdout } = await capture("pulumi", ["stack", "export", "--stack", stack], {
    cwd: root,
    env: environment.variables,
  });
  // What cannot be exported has no resources, or Pulumi itself will say why.
  const urns = code === 0 ? protectedIn(stdout) : [];
  if (urns.length > 0) throw new Failure(protectedText(urns), { next: waysOn(urns) });
}

export const protectedText = (urns: readonly string[]): string =>
  `nothing was touched: ${urns.map(nameOf).join(", ")} ${urns.length === 1 ? "is" : "are"} protected ("protect": true in the configuration).`;

const waysOn = (urns: readonly string[]): string =>
  [
    'take "protect" out of the configuration and run bin/phoenix up, then this again,',
    "or leave the configuration as it is and lift it once:",
    ...urns.map((urn) => `  pulumi state unprotect --yes '${urn}'`),
  ].join("\n  ");
