/** A word that no engine can read. */
export class WordError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WordError';
  }
}

/** A word that engines read differently, or that is too long to be worth reading. The message continues "line 3 ". */
export class UnclearWordError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnclearWordError';
  }
}
