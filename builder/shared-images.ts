/**
 * On a machine whose engine several builds share. Builds of the same content make the same image, and an engine that is
 * taking away the last tag of an image doesn't notice that a build is just giving it another: that build ends with "failed
 * to get digest", or its image is gone when it is pushed. So no tag is removed while any build runs: it is noted, and removed
 * with all others as soon as none does.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

/** Of all builds of this user, whatever deployment they are for: a build's own HOME is its own alone. */
export const sharedFolder = (): string => join(userInfo().homedir, '.cache', 'slipway', 'builds');

const pollMs = 50;

/** Runs `build`, which gives an image the tag `tag`. Removals that are under way end first. */
export async function whileBuilding<T>(folder: string, tag: string, build: () => Promise<T>): Promise<T> {
  if (!(await made(folder))) return build();
  let release = locked(folder, 'shared');
  for (; !release; release = locked(folder, 'shared')) await sleep(pollMs);
  try {
    // From here on the tag is this build's, which removes it in the end.
    await rm(noteOf(folder, tag), { force: true });
    return await build();
  } finally {
    release();
  }
}

/** Removes `tag`, and what was noted before it, or notes it where a build is running for as long as `patienceMs`. */
export async function removeTag(
  folder: string,
  tag: string,
  remove: (tag: string) => Promise<unknown>,
  patienceMs = 0,
): Promise<void> {
  if (!(await made(notesOf(folder)))) return void (await remove(tag));
  await writeFile(noteOf(folder, tag), tag);
  const until = performance.now() + patienceMs;
  let release = locked(folder, 'exclusive');
  for (; !release && performance.now() < until; release = locked(folder, 'exclusive')) await sleep(pollMs);
  if (!release) return;
  try {
    for (const name of await readdir(notesOf(folder))) {
      const note = join(notesOf(folder), name);
      await remove(await readFile(note, 'utf8'));
      await rm(note, { force: true });
    }
  } finally {
    release();
  }
}

/** A user whose home can't be written has no other builds beside this one that could know of it. */
const made = (folder: string): Promise<boolean> =>
  mkdir(folder, { recursive: true, mode: 0o700 }).then(
    () => true,
    () => false,
  );

const notesOf = (folder: string) => join(folder, 'tags');
const noteOf = (folder: string, tag: string) =>
  join(notesOf(folder), createHash('sha256').update(tag).digest('hex'));

/**
 * A lock that ends with its process, however that ends: SQLite's on a database with nothing in it. Undefined where
 * another process has one that excludes it.
 */
function locked(folder: string, how: 'shared' | 'exclusive'): (() => void) | undefined {
  const lock = new DatabaseSync(join(folder, 'lock'));
  try {
    if (how === 'exclusive') lock.exec('BEGIN EXCLUSIVE');
    else lock.exec('BEGIN; SELECT count(*) FROM sqlite_schema;');
    return () => lock.close();
  } catch (error) {
    lock.close();
    if ((error as { errcode?: number }).errcode === busy) return undefined;
    throw error;
  }
}

/** SQLITE_BUSY */
const busy = 5;
