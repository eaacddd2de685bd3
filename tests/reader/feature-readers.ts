import type { Facts } from "./facts.ts";
import { must, type Reader } from "./words.ts";

type Parameters = Readonly<Record<string, unknown>>;

/** What a feature has to have left in a guest that runs. */
const inside: Readonly<
  Record<string, (parameters: Parameters, guest: ReadonlyMap<string, string>) => string[]>
> = {
  base_setup: ({ packages, locale }, guest) => [
    ...installed(packages, guest),
    ...must((guest.get("locale") ?? "").includes(`LANG=${String(locale)}`), guest.get("locale")),
  ],
  docker: ({ packages }, guest) => [
    ...installed(packages, guest),
    ...must((guest.get("docker") ?? "").trim() !== "", "its daemon does not answer"),
  ],
  serve_page: ({ port }, guest) =>
    must(
      new RegExp(`:${String(port)}\\s`).test(guest.get("listening") ?? ""),
      `nothing listens on ${String(port)}`,
    ),
  nvidia: ({ nvidia }, guest) => {
    const { version = "" } = nvidia as { version?: string };
    const found = (guest.get("driver") ?? "").trim();
    // Without a card assigned there is nothing that nvidia-smi could ask.
    return must(found === version || (guest.get("devices") ?? "") === "", `nvidia-smi says ${found}`);
  },
};

function installed(packages: unknown, guest: ReadonlyMap<string, string>): string[] {
  const there = guest.get("packages") ?? "";
  const missing = (packages as string[]).filter((name) => !there.includes(`${name} installed\n`));
  return must(missing.length === 0, `not installed: ${missing.join(", ")}`);
}

/** A feature with parameters, or its bare name. A template does not run: what it has is seen in its clones. */
export const featureWrong: Reader = (value, { guest }: Facts) => {
  const { name, parameters } =
    typeof value === "string"
      ? { name: value, parameters: {} }
      : (value as { name: string; parameters: Parameters });
  const look = inside[name];
  if (!look) return [`nothing reads the feature ${name}`];
  return guest ? look(parameters, guest) : [];
};
