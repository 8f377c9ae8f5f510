/** An archive that is not unpacked; the message completes "The context cannot be unpacked: …". */
export class ArchiveError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ArchiveError';
  }
}

/** An archive that would unpack to more than anybody means. */
export class TooLargeError extends ArchiveError {
  constructor(message: string) {
    super(message);
    this.name = 'TooLargeError';
  }
}
