/**
 * Where an archive is unpacked. An archive is somebody's upload, so nothing in it may lead outside: no absolute
 * path, no `..`, and no path through a link that the archive itself has made.
 */
import { createWriteStream } from 'node:fs';
import { chmod, link, lstat, mkdir, symlink, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What an archive may unpack to: more is a mistake or an attack. */
const limitBytes = 32 * 1024 ** 3;
const limitEntries = 1_000_000;

export class ArchiveError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ArchiveError';
  }
}

export interface Entry {
  path: string;
  /** Permission bits. */
  mode: number;
  modifiedAt?: Date;
}

export class Place {
  readonly root: string;
  /** Directories known to be real ones; nothing ever replaces a directory. */
  readonly #directories = new Set<string>(['']);
  #bytes = 0;
  #entries = 0;

  constructor(root: string) {
    this.root = root;
  }

  async directory(entry: Entry): Promise<void> {
    const parts = this.#parts(entry.path);
    if (parts.length === 0) return;
    await this.#ensure(parts);
    // Read and search for whoever unpacked it, or the build could not read it.
    await chmod(this.#at(parts), (entry.mode & 0o777) | 0o700);
  }

  async file(entry: Entry, sizeBytes: number, content: Readable): Promise<void> {
    const path = await this.#free(entry.path);
    this.#bytes += sizeBytes;
    if (this.#bytes > limitBytes) throw new ArchiveError('it unpacks to more than 32 GiB');
    await pipeline(content, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    await chmod(path, (entry.mode & 0o7777) | 0o400);
    if (entry.modifiedAt) await utimes(path, entry.modifiedAt, entry.modifiedAt);
  }

  /** A symbolic link may say what it wants: nothing here ever follows it, and the image decides what it means there. */
  async symbolicLink(entry: Entry, target: string): Promise<void> {
    if (target === '' || target.includes('\0')) throw new ArchiveError(`"${entry.path}" links to nothing`);
    await symlink(target, await this.#free(entry.path));
  }

  /** Another name of a file that was unpacked before. */
  async hardLink(entry: Entry, target: string): Promise<void> {
    const parts = this.#parts(target);
    await this.#real(parts.slice(0, -1));
    const found = await lstat(this.#at(parts)).catch(() => undefined);
    if (!found?.isFile())
      throw new ArchiveError(`"${entry.path}" is a link to "${target}", which is no file of it`);
    await link(this.#at(parts), await this.#free(entry.path));
  }

  #parts(path: string): string[] {
    if (path.startsWith('/') || path.includes('\0')) throw new ArchiveError(`"${path}" lies outside of it`);
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    if (parts.includes('..')) throw new ArchiveError(`"${path}" lies outside of it`);
    if (++this.#entries > limitEntries) throw new ArchiveError(`it has more than ${limitEntries} entries`);
    return parts;
  }

  #at(parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Makes missing directories; refuses a path that runs through anything else. */
  async #ensure(parts: string[]): Promise<void> {
    for (let depth = 1; depth <= parts.length; depth++) {
      const upTo = parts.slice(0, depth);
      const key = upTo.join('/');
      if (this.#directories.has(key)) continue;
      const found = await lstat(this.#at(upTo)).catch(() => undefined);
      if (!found) await mkdir(this.#at(upTo), { mode: 0o755 });
      else if (!found.isDirectory()) throw new ArchiveError(`"${key}" is used as a folder but is none`);
      this.#directories.add(key);
    }
  }

  async #real(parts: string[]): Promise<void> {
    for (let depth = 1; depth <= parts.length; depth++) {
      const found = await lstat(this.#at(parts.slice(0, depth))).catch(() => undefined);
      if (!found?.isDirectory()) throw new ArchiveError(`"${parts.join('/')}" is no folder of it`);
    }
  }

  /** Path for a new entry. A later entry of the same name replaces a file or link, as tar does; never a folder. */
  async #free(path: string): Promise<string> {
    const parts = this.#parts(path);
    if (parts.length === 0) throw new ArchiveError(`"${path}" names no file`);
    await this.#ensure(parts.slice(0, -1));
    const full = this.#at(parts);
    const found = await lstat(full).catch(() => undefined);
    if (found?.isDirectory()) throw new ArchiveError(`"${path}" is both a folder and something else`);
    if (found) await unlink(full);
    return full;
  }
}
