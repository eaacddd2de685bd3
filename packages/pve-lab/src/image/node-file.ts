/** A file of the node that every `up` writes anew. */
export interface NodeFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
  /** It belongs to the node's owner: once she has changed it, no `up` writes it again. */
  readonly owners?: true;
}
