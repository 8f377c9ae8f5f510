/** Real processes and their locks. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeTag, whileBuilding } from '../../builder/shared-images.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shared-images-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const removed: string[] = [];
const remove = async (tag: string) => void removed.push(tag);
beforeEach(() => removed.splice(0));
/** A build that runs until it is ended. */
function building(tag: string) {
  let end = () => {};
  const begun = Promise.withResolvers<void>();
  const build = whileBuilding(
    folder,
    tag,
    () =>
      new Promise<void>((over) => {
        end = over;
        begun.resolve();
      }),
  );
  return {
    begun: begun.promise,
    end() {
      end();
      return build;
    },
  };
}

describe('tags of images that several builds may make', () => {
  it('are removed at once where nothing is built', async () => {
    await removeTag(folder, 'app:1', remove);
    expect(removed).toEqual(['app:1']);
    expect(await readdir(join(folder, 'tags'))).toEqual([]);
  });

  it('stay while a build runs, and go with the first removal after it', async () => {
    const [one, two] = [building('one:1'), building('two:1')];
    await Promise.all([one.begun, two.begun]);
    await removeTag(folder, 'app:1', remove);
    await one.end();
    await removeTag(folder, 'one:1', remove);
    expect(removed).toEqual([]);
    await two.end();
    await removeTag(folder, 'two:1', remove);
    expect(removed.sort()).toEqual(['app:1', 'one:1', 'two:1']);
    await removeTag(folder, 'three:1', remove);
    expect(removed).toHaveLength(4);
  });

  it('that a new build has taken over are not removed for the one before', async () => {
    const other = building('other:1');
    await other.begun;
    await removeTag(folder, 'app:1', remove);
    await other.end();
    const again = building('app:1');
    await again.begun;
    await again.end();
    await removeTag(folder, 'other:1', remove);
    expect(removed).toEqual(['other:1']);
  });

  it('are waited for by a build, which begins once they are gone', async () => {
    const [removing, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const removal = removeTag(folder, 'app:1', async () => {
      removing.resolve();
      await mayEnd.promise;
    });
    await removing.promise;
    const order: string[] = [];
    const build = whileBuilding(folder, 'app:2', async () => void order.push('built'));
    // Time enough for a build that didn't wait.
    await sleep(300);
    order.push('removed');
    mayEnd.resolve();
    await Promise.all([removal, build]);
    expect(order).toEqual(['removed', 'built']);
  });

  it('are removed where a build that is ending has ended in time', async () => {
    const one = building('one:1');
    await one.begun;
    const removal = removeTag(folder, 'one:1', remove, 60_000);
    await one.end();
    await removal;
    expect(removed).toEqual(['one:1']);
  });

  it('are no matter of a build whose process was killed', async () => {
    const other = fork(join(import.meta.dirname, 'endless-build.ts'), [folder]);
    await once(other, 'message');
    await removeTag(folder, 'app:1', remove);
    expect(removed).toEqual([]);
    other.kill('SIGKILL');
    await once(other, 'exit');
    await removeTag(folder, 'app:2', remove);
    expect(removed.sort()).toEqual(['app:1', 'app:2']);
  });

  it('are removed at once where nothing can be noted', async () => {
    const nowhere = join(folder, 'lock', 'x');
    await writeFile(join(folder, 'lock'), '');
    expect(await whileBuilding(nowhere, 'app:1', async () => 'built')).toBe('built');
    await removeTag(nowhere, 'app:1', remove);
    expect(removed).toEqual(['app:1']);
  });

  it('do not end a build that fails otherwise', async () => {
    await expect(whileBuilding(folder, 'app:1', () => Promise.reject(new Error('step')))).rejects.toThrow(
      'step',
    );
    await removeTag(folder, 'app:1', remove);
    expect(removed).toEqual(['app:1']);
  });
});
