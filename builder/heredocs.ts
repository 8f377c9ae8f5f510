/** Whether the engine reads a Dockerfile's here-documents as text, as we did when its bases were looked up. */

import { hasOwnHeredocs } from '../shared/dockerfile/bases.ts';
import type { BuildSpec } from '../shared/model/build-spec.ts';
import { BuildError } from './build-error.ts';
import type { Docker } from './docker.ts';

/** The first whose own reading of Dockerfiles knows them. */
const firstMajor = 23;

/**
 * An older engine takes each of their lines for an instruction, and an image that one names for a base. Throws
 * `BuildError` with what to do: the program that `# syntax=` names reads them on every engine.
 */
export async function requireHeredocs(
  { dockerfile, buildArgs }: Pick<BuildSpec, 'dockerfile' | 'buildArgs'>,
  docker: Docker,
): Promise<void> {
  if (!hasOwnHeredocs(dockerfile, buildArgs)) return;
  const lines: string[] = [];
  await docker.run(['version', '--format', '{{.Server.Version}}'], (line) => lines.push(line));
  const version = /^(\d+)\.\S+$/.exec(lines.at(-1) ?? '');
  if (!version || Number(version[1]) >= firstMajor) return;
  throw new BuildError({
    code: 'dockerfile-invalid',
    message: `This builder's engine (Docker ${version[0]}) does not support here-documents. Begin the Dockerfile with "# syntax=docker/dockerfile:1".`,
  });
}
