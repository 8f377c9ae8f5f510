/** Lifecycle rules: objects that have reached their age go. */
import type { Cloud, DeclaredResource } from '../platform.ts';
import type { ObjectStore } from './store.ts';

interface LifecycleRule {
  bucket: string;
  prefix: string;
  expirationDays: number;
}

const dayMs = 86_400_000;

/** What a rule may say here. With anything else (tags, sizes) it would match less than it seems to. */
const known = new Set(['Id', 'Status', 'Prefix', 'ExpirationInDays', 'AbortIncompleteMultipartUpload']);

/** The enabled rules that expire objects by age. `skipped` hears of those that say more than is known here. */
export function readLifecycleRules(
  buckets: DeclaredResource[],
  skipped: (logicalId: string, member: string) => void,
): LifecycleRule[] {
  return buckets.flatMap(({ logicalId, physicalId, properties }) => {
    const rules: { Status?: string; Prefix?: string; ExpirationInDays?: number }[] =
      properties?.LifecycleConfiguration?.Rules ?? [];
    return rules.flatMap((rule): LifecycleRule[] => {
      const unknown = Object.keys(rule).find((name) => !known.has(name));
      if (unknown !== undefined) skipped(logicalId, unknown);
      if (unknown !== undefined || rule.Status !== 'Enabled' || rule.ExpirationInDays === undefined)
        return [];
      return [
        { bucket: physicalId, prefix: rule.Prefix ?? '', expirationDays: Number(rule.ExpirationInDays) },
      ];
    });
  });
}

/** Removes what is older than its rule allows. */
export function expireObjects(cloud: Cloud, store: ObjectStore, rules: LifecycleRule[]): void {
  const now = cloud.now().getTime();
  for (const rule of rules) {
    const old = cloud.db
      .prepare('SELECT key FROM s3_objects WHERE bucket = ? AND modified_at < ? AND substr(key, 1, ?) = ?')
      .all(rule.bucket, now - rule.expirationDays * dayMs, [...rule.prefix].length, rule.prefix);
    for (const { key } of old) store.remove(rule.bucket, String(key));
  }
}
