/** The files that a build may copy from. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuildSpec } from '../shared/model/build-spec.ts';
import { ArchiveError, TooLargeError } from './archive/archive-error.ts';
import { unpack } from './archive/unpack.ts';
import type { Aws } from './aws.ts';
import { BuildError } from './build-error.ts';
import { say } from './output.ts';
import type { Work } from './work.ts';

const missing = (message: string) => new BuildError({ code: 'context-missing', message });

/** Puts the context into place: exactly the bytes that were declared. */
export async function fetchContext(
  { context }: Pick<BuildSpec, 'context'>,
  work: Work,
  aws: Aws,
  signal: AbortSignal,
): Promise<void> {
  if (!context) return;
  const archive = join(work.folder, 'context.archive');
  const got = await aws.download(context.key, archive, signal);
  if (!got) throw missing('The context was never uploaded, or it has expired.');
  if (got.sizeBytes !== context.sizeBytes || got.sha256 !== context.sha256)
    throw missing('The uploaded context differs from the declared SHA-256.');
  signal.throwIfAborted();
  try {
    await unpack(archive, work.context);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    throw new BuildError({
      code: error instanceof TooLargeError ? 'context-too-large' : 'context-invalid',
      message: `The builder can't unpack the context: ${error.message}.`,
    });
  }
  await rm(archive);
  signal.throwIfAborted();
  say(`context: ${got.sizeBytes} bytes, sha256 ${got.sha256}`);
}
