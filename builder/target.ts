/** R9: whether what is built can go where it is to go, asked before anybody waits for its steps. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildSpec } from '../shared/model/build-spec.ts';
import { RegistryError, type RegistryErrorCode } from '../shared/registry/model.ts';
import { isPassing, unreachable } from '../shared/registry/network-errors.ts';
import { parseReference } from '../shared/registry/reference.ts';
import type { Environment } from './environment.ts';
import { ofTarget } from './mirror/refusals.ts';
import { say } from './output.ts';
import type { RegistryView } from './pushed.ts';

/** Nothing of it will be over when the build is; what else a registry may say is for the push to find out. */
const lasting: readonly RegistryErrorCode[] = [
  'dns',
  'tls',
  'unreachable',
  'refused-address',
  'not-a-registry',
  'bad-credentials',
  'no-push',
];
/** Whom the engine of somebody's own machine trusts, and where it may go, is for them to say. */
const ofTheEngine: readonly RegistryErrorCode[] = ['tls', 'refused-address'];
const attempts = 3;

export interface Asking {
  host: Environment['BUILDER_HOST'];
  /** When nobody wants to know any more. */
  signal: AbortSignal;
  pauseMs?: number;
  /** Of all attempts together, whatever they wait for. */
  atMostMs?: number;
}

/**
 * Throws `BuildError` for a target that refuses these credentials, can't be reached or is no registry. One of ECR is the
 * deployment's business, or gets its repository from somebody else. Says nothing once it has ended.
 */
export async function requireTarget(
  { target, push, registries }: Pick<BuildSpec, 'target' | 'push' | 'registries'>,
  registry: Pick<RegistryView, 'probePush'>,
  { host, signal, pauseMs = 2000, atMostMs = 30_000 }: Asking,
): Promise<void> {
  const isOfEcr = registries.some(({ kind, host }) => kind === 'ecr' && target.startsWith(`${host}/`));
  if (push === false || isOfEcr) return;
  const isFinal = (code: RegistryErrorCode) =>
    lasting.includes(code) && (host === 'dedicated' || !ofTheEngine.includes(code));
  const late = AbortSignal.timeout(atMostMs);
  const over = AbortSignal.any([signal, late]);
  signal.throwIfAborted();
  let heard = unreachable(parseReference(target).host ?? '', `did not answer within ${atMostMs / 1000} s`);
  for (let attempt = 1; ; attempt++)
    try {
      if (attempt > 1) await sleep(pauseMs, undefined, { signal: over });
      return await unlessAborted(registry.probePush(target), over);
    } catch (error) {
      signal.throwIfAborted();
      if (late.aborted) throw ofTarget(heard);
      if (!(error instanceof RegistryError)) throw error;
      if (!isFinal(error.code))
        return say(`could not check in advance whether ${target} can be pushed: ${error.message}`);
      if (attempt === attempts || !isPassing(error)) throw ofTarget(error);
      heard = error;
      say(`retrying in ${pauseMs / 1000} s: ${error.message}`);
    }
}

/** What is asked already may go on for a while: nobody hears of it. */
function unlessAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([asked, aborted]);
}
