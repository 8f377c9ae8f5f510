import type { BuildFailure } from '../shared/model/build.ts';

/** Why a build cannot go on, in the words that the user will read. */
export class BuildError extends Error {
  readonly failure: BuildFailure;
  constructor(failure: BuildFailure) {
    super(failure.message);
    this.name = 'BuildError';
    this.failure = failure;
  }
}
