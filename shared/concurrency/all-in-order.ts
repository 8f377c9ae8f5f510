/**
 * As `Promise.all`, but of several that fail the first of the list is thrown, whoever failed first: what somebody is
 * told doesn't depend on who answers sooner. Nobody is at work any more when it ends.
 */
export async function allInOrder<T extends readonly unknown[]>(
  all: readonly [...{ [I in keyof T]: Promise<T[I]> }],
): Promise<T> {
  await Promise.allSettled(all);
  return (await Promise.all(all)) as unknown as T;
}
