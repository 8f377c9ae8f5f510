/** What the builder says has become of its job. Whoever has the builder's role may write anything there. */
import type { Artifacts } from '../aws/artifacts.ts';
import type { BuildFailure } from '../model/build.ts';
import { resultKey } from '../model/build-keys.ts';
import { type BuildResult, buildResultSchema } from '../model/build-spec.ts';
import { abridged } from '../text/abridged.ts';

/**
 * Characters, and lines. A step may be as long as a Dockerfile, and its text is kept with the build, told on its
 * timeline, mailed, and answered a hundred times in one page of builds.
 */
const atMost = { message: 2500, step: 2000, lines: 25, line: 500 };

/** Nothing where the builder never wrote one, or wrote something else than a result. */
export async function readResult(
  artifacts: Artifacts,
  organisation: string,
  buildId: string,
): Promise<BuildResult | undefined> {
  const text = await artifacts.read(resultKey(organisation, buildId));
  if (text === undefined) return undefined;
  const { success, data } = buildResultSchema.safeParse(parsed(text));
  if (!success) return undefined;
  return data.outcome === 'failed' ? { ...data, failure: readable(data.failure) } : data;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Then it is no result.
    return undefined;
  }
}

const readable = (failure: BuildFailure): BuildFailure => ({
  ...failure,
  message: abridged(failure.message, atMost.message),
  ...(failure.step === undefined ? {} : { step: abridged(failure.step, atMost.step) }),
  ...(failure.lastLines && {
    lastLines: failure.lastLines.slice(-atMost.lines).map((line) => abridged(line, atMost.line)),
  }),
});
