/** An error that a person can act on: shown as one line, without a stack. */
export class Failure extends Error {}
