/** R9: whether what is built can go where it is to go, asked before anybody waits for its steps. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuildSpec } from '../shared/model/build-spec.ts';
import { RegistryError, type RegistryErrorCode } from '../shared/registry/model.ts';
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
const attempts = 3;

/**
 * Throws `BuildError` for a target that refuses these credentials, can't be reached or is no registry. One of ECR is the
 * deployment's business, or gets its repository from somebody else.
 */
export async function requireTarget(
  { target, push, registries }: Pick<BuildSpec, 'target' | 'push' | 'registries'>,
  registry: Pick<RegistryView, 'probePush'>,
  pauseMs = 2000,
): Promise<void> {
  const isOfEcr = registries.some(({ kind, host }) => kind === 'ecr' && target.startsWith(`${host}/`));
  if (push === false || isOfEcr) return;
  for (let attempt = 1; ; attempt++)
    try {
      return await registry.probePush(target);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      if (!lasting.includes(error.code))
        return say(`whether ${target} can be pushed will be seen when it is built: ${error.message}`);
      if (attempt === attempts || !mayPass(error)) throw ofTarget(error);
      say(`asking again in ${pauseMs / 1000} s: ${error.message}`);
      await sleep(pauseMs);
    }
}

/** A name that doesn't resolve is mostly mistyped; a resolver may be down. */
const mayPass = ({ code, cause }: RegistryError) =>
  code === 'unreachable' || (cause as NodeJS.ErrnoException | undefined)?.code === 'EAI_AGAIN';
