/** What an archive may unpack to: more is a mistake or an attack. */
import { ArchiveError, TooLargeError } from './archive-error.ts';

const gib = 1024 ** 3;
const limits = {
  bytes: 32 * gib,
  entries: 1_000_000,
  /** Text and zeros shrink to a hundredth or less; where it is little that unpacks, that harms nobody. */
  ratio: 200,
  bytesWithoutRatio: gib,
};

export class Budget {
  readonly #archiveBytes: number;
  #bytes = 0;
  #entries = 0;
  #decompressed = 0;
  #packed = 0;

  constructor(archiveBytes: number) {
    this.#archiveBytes = archiveBytes;
  }

  /** Counted as declared, before anything of it is written. Throws `TooLargeError`. */
  entry(sizeBytes = 0): void {
    this.#entries++;
    this.#bytes += sizeBytes;
    if (this.#entries > limits.entries) throw new TooLargeError(`it has more than ${limits.entries} entries`);
    this.#check(this.#bytes);
  }

  /** Whatever comes out of a decompressor, contents or not: padding and names shrink as well. Throws `TooLargeError`. */
  decompressed(bytes: number): void {
    this.#decompressed += bytes;
    this.#check(this.#decompressed);
  }

  /** What an entry takes of the archive itself: many that share the same bytes are as much work as a large archive. */
  packed(bytes: number): void {
    this.#packed += bytes;
    if (this.#packed > this.#archiveBytes) throw new ArchiveError('its entries overlap');
  }

  #check(bytes: number): void {
    if (bytes > limits.bytes) throw new TooLargeError('it unpacks to more than 32 GiB');
    if (bytes > Math.max(limits.bytesWithoutRatio, this.#archiveBytes * limits.ratio))
      throw new TooLargeError(`it unpacks to more than ${limits.ratio} times its size`);
  }
}
