/** What a name means, or the problem that says why it means nothing. */
import { conflict, invalid, ProblemError } from '../http/problem.ts';
import { InvalidReferenceError } from '../registry/reference.ts';
import { type ResolvedName, UnresolvedNameError } from '../registry/resolve.ts';

/** Errors of names as problems that name the field. */
export async function meaning(
  resolve: () => Promise<ResolvedName>,
  pointer = '/image',
): Promise<ResolvedName> {
  try {
    return await resolve();
  } catch (error) {
    if (error instanceof InvalidReferenceError) throw invalid({ pointer, message: error.message });
    if (!(error instanceof UnresolvedNameError)) throw error;
    if (error.code === 'image-not-found') throw new ProblemError(404, error.code, error.message);
    throw conflict(error.code, error.message, error.candidates);
  }
}
