import { pulumiVerb } from "../lib/pulumi-verb.ts";

export const verb = () => pulumiVerb("preview");
