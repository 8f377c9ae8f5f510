/** Where a job's description and its result lie in the bucket. */

export const specKey = (organisation: string, buildId: string) =>
  `${organisation}/builds/${buildId}/spec.json`;
export const resultKey = (organisation: string, buildId: string) =>
  `${organisation}/builds/${buildId}/result.json`;

/** Organisation and build that a spec's key names, or nothing where it isn't one. */
export function parseSpecKey(key: string): { organisation: string; buildId: string } | undefined {
  const [, organisation, buildId] = /^([a-z0-9-]+)\/builds\/(bld_[0-9a-z]+)\/spec\.json$/.exec(key) ?? [];
  return organisation && buildId ? { organisation, buildId } : undefined;
}
