/**
 * Where an archive is unpacked. An archive is somebody's upload, so nothing in it may lead outside: no absolute
 * path, no `..`, and no path through a link that the archive itself has made.
 */
import { createWriteStream, type Stats } from 'node:fs';
import { chmod, link, lstat, mkdir, symlink, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ArchiveError, TooLargeError } from './archive-error.ts';
import { Budget } from './budget.ts';

export interface Entry {
  path: string;
  /** Permission bits. */
  mode: number;
  modifiedAt?: Date;
}

/** In bytes, as an engine's host has it. */
const longestPath = 4096;
/** Folders that are remembered: more are asked for again. */
const rememberedFolders = 10_000;

export class Place {
  readonly root: string;
  readonly budget: Budget;
  /** Folders known to be real ones; nothing ever replaces a folder. */
  readonly #folders = new Set<string>();

  /** `archiveBytes` is the size of what is unpacked. */
  constructor(root: string, archiveBytes: number) {
    this.root = root;
    this.budget = new Budget(archiveBytes);
  }

  async directory(entry: Entry): Promise<void> {
    this.budget.entry();
    const parts = partsOf(entry.path);
    if (parts.length === 0) return;
    await named(entry.path, async () => {
      await this.#ensure(parts);
      // Read and search for whoever unpacked it, or the build could not read it.
      await chmod(this.#at(parts), (entry.mode & 0o777) | 0o700);
    });
  }

  /** `open` is called once there is a place for its content: what nobody reads fails for nobody to hear. */
  async file(entry: Entry, sizeBytes: number, open: () => Readable): Promise<void> {
    this.budget.entry(sizeBytes);
    await named(entry.path, async () => {
      const path = await this.#free(entry.path);
      await pipeline(open(), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
      await chmod(path, (entry.mode & 0o7777) | 0o400);
      if (entry.modifiedAt) await utimes(path, entry.modifiedAt, entry.modifiedAt);
    });
  }

  /** A symbolic link may say what it wants: nothing here ever follows it, and the image decides what it means there. */
  async symbolicLink(entry: Entry, target: string): Promise<void> {
    this.budget.entry();
    if (target === '' || target.includes('\0') || Buffer.byteLength(target) >= longestPath)
      throw new ArchiveError(`"${entry.path}" links to nothing`);
    await named(entry.path, async () => symlink(target, await this.#free(entry.path)));
  }

  /** Another name of a file that was unpacked before. */
  async hardLink(entry: Entry, target: string): Promise<void> {
    this.budget.entry();
    await named(entry.path, async () => {
      const parts = partsOf(target);
      for (let depth = 0; depth <= parts.length; depth++) {
        const found = await foundAt(this.#at(parts.slice(0, depth)));
        if (depth < parts.length ? !found?.isDirectory() : !found?.isFile())
          throw new ArchiveError(`"${entry.path}" links to "${target}", which is not a file in the archive`);
      }
      const from = this.#at(parts);
      // Named after itself it stays what it is, and is not removed to make room for itself.
      if (this.#at(partsOf(entry.path)) !== from) await link(from, await this.#free(entry.path));
    });
  }

  #at(parts: string[]): string {
    return join(this.root, ...parts);
  }

  /** Makes missing folders; refuses a path that runs through anything else. */
  async #ensure(parts: string[]): Promise<void> {
    if (parts.length === 0 || this.#folders.has(parts.join('/'))) return;
    await this.#ensure(parts.slice(0, -1));
    const path = this.#at(parts);
    const found = await foundAt(path);
    if (found && !found.isDirectory())
      throw new ArchiveError(`"${parts.join('/')}" is used as a folder but is not one`);
    if (!found) {
      this.budget.entry();
      await mkdir(path, { mode: 0o755 });
    }
    if (this.#folders.size >= rememberedFolders) this.#folders.clear();
    this.#folders.add(parts.join('/'));
  }

  /** Path for a new entry. A later entry of the same name replaces a file or link, as tar does; never a folder. */
  async #free(path: string): Promise<string> {
    const parts = partsOf(path);
    if (parts.length === 0) throw new ArchiveError(`"${path}" does not name a file`);
    await this.#ensure(parts.slice(0, -1));
    const full = this.#at(parts);
    const found = await foundAt(full);
    if (found?.isDirectory()) throw new ArchiveError(`"${path}" is both a folder and something else`);
    if (found) await unlink(full);
    return full;
  }
}

/** Throws `ArchiveError` for what leads outside, on Windows too: somebody may have meant it to. */
function partsOf(path: string): string[] {
  if (Buffer.byteLength(path) >= longestPath) throw new ArchiveError('it has a name that is too long');
  if (/^[/\\]|^[A-Za-z]:[/\\]|\0/.test(path) || path.split(/[/\\]/).includes('..'))
    throw new ArchiveError(`"${path}" lies outside the archive`);
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? '';

/** What is there, links not followed; nothing only where there is nothing. */
async function foundAt(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** What the file system refuses for the archive's sake is the archive's fault; anything else is ours. */
async function named<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (codeOf(error) === 'ENAMETOOLONG')
      throw new ArchiveError(`the name "${path.slice(0, 100)}…" is too long`);
    if (codeOf(error) === 'EMLINK') throw new ArchiveError(`"${path}" is one link too many`);
    if (['ENOSPC', 'EDQUOT'].includes(codeOf(error))) throw new TooLargeError("it fills the builder's disk");
    throw error;
  }
}
