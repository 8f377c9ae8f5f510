/** What went wrong before there was a job, in the experiment's own codes. */

import type { Reason } from '../../shared/experiment/record.ts';
import { reasonOf } from '../../shared/experiment/verdict.ts';
import type { ExperimentReason } from '../../shared/model/experiment.ts';
import { CopyTooLargeError } from '../../shared/registry/copy-layers.ts';
import { UnsupportedManifestError } from '../../shared/registry/entrypoint.ts';
import { RegistryError, type RegistryErrorCode } from '../../shared/registry/model.ts';
import { isPassing } from '../../shared/registry/network-errors.ts';
import { InvalidReferenceError } from '../../shared/registry/reference.ts';
import { UnresolvedNameError } from '../../shared/registry/resolve.ts';
import { DefinitionTooLargeError } from './definition.ts';

const registryCodes: Record<RegistryErrorCode, ExperimentReason> = {
  'not-found': 'image-not-found',
  'bad-credentials': 'image-unauthorized',
  'no-pull': 'image-unauthorized',
  'no-push': 'launch-failed',
  'no-platform': 'image-unsupported',
  'too-large': 'image-unsupported',
  corrupt: 'image-pull-failed',
  refused: 'image-pull-failed',
  'rate-limited': 'registry-rate-limited',
  dns: 'registry-unavailable',
  tls: 'registry-unavailable',
  unreachable: 'registry-unavailable',
  'refused-address': 'registry-unavailable',
  'not-a-registry': 'registry-unavailable',
};

/**
 * Something that the experiment's author can understand and change. `undefined` for what is to be thrown, so that the
 * state machine asks again: our own trouble, and a registry that doesn't answer just now.
 */
export function launchFailure(error: unknown): Reason | undefined {
  const because = (code: ExperimentReason): Reason => ({ code, message: (error as Error).message });
  if (error instanceof RegistryError)
    return isPassing(error) ? undefined : because(registryCodes[error.code]);
  if (error instanceof UnresolvedNameError) return because(error.code);
  if (error instanceof InvalidReferenceError) return because('image-invalid-name');
  if (error instanceof CopyTooLargeError) return because('image-too-large');
  if (error instanceof UnsupportedManifestError) return because('image-unsupported');
  if (error instanceof DefinitionTooLargeError) return because('definition-too-large');
  if (error instanceof LaunchRefusedError) return because(error.code);
  return undefined;
}

/** A launch that can't come to anything, with its reason. */
export class LaunchRefusedError extends Error {
  readonly code: ExperimentReason;
  constructor(code: ExperimentReason, message: string) {
    super(message);
    this.name = 'LaunchRefusedError';
    this.code = code;
  }
}

/** An error that the state machine caught: of the launcher itself, or of submitting the job. */
export function caughtFailure({ Error: name, Cause: cause }: { Error?: string; Cause?: string }): Reason {
  const message = messageOf(cause);
  if (name === 'RegistryError')
    return { code: 'registry-unavailable', message: message ?? reasonOf('registry-unavailable').message };
  const words = [name, message].filter((one) => one).join(': ');
  return reasonOf('launch-failed', words.slice(0, 1000));
}

/** Lambda's Cause is JSON with a message; Batch's is text. */
function messageOf(cause: string | undefined): string | undefined {
  if (!cause?.startsWith('{')) return cause;
  try {
    const { errorMessage } = JSON.parse(cause) as { errorMessage?: string };
    return errorMessage ?? cause;
  } catch {
    // Cut off by the limit of a Cause: the text is all there is.
    return cause;
  }
}
