export type Allowed = "destroy" | "replace" | "grow";
