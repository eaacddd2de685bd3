import { runPulumiVerb } from "../lib/pulumi-verb.ts";

export const passThrough = (args: readonly string[]) => runPulumiVerb("destroy", args);
