/** Lifecycle rules: objects that have reached their age go. */
import type { Cloud, DeclaredResource } from '../platform.ts';
import type { ObjectStore } from './store.ts';

interface LifecycleRule {
  bucket: string;
  prefix: string;
  expirationDays: number;
}

const dayMs = 86_400_000;

/** The enabled rules that expire objects by age; rules on versions or parts have nothing to do here. */
export function readLifecycleRules(buckets: DeclaredResource[]): LifecycleRule[] {
  return buckets.flatMap(({ physicalId, properties }) => {
    const rules: { Status?: string; Prefix?: string; ExpirationInDays?: number }[] =
      properties?.LifecycleConfiguration?.Rules ?? [];
    return rules
      .filter((rule) => rule.Status === 'Enabled' && rule.ExpirationInDays !== undefined)
      .map((rule) => ({
        bucket: physicalId,
        prefix: rule.Prefix ?? '',
        expirationDays: Number(rule.ExpirationInDays),
      }));
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
