/** Conditional requests: what If-Match and its kin mean for reading and for writing. */
import { AwsError } from '../platform.ts';
import { noSuchKey, type StoredObject, type WriteCondition } from './store.ts';

const bare = (etag: string): string => etag.trim().replace(/^W\//, '').replace(/^"|"$/g, '');
const names = (header: string, etag: string): boolean =>
  header.trim() === '*' || header.split(',').some((one) => bare(one) === etag);

const preconditionFailed = (condition: string): AwsError =>
  new AwsError('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', 412, {
    Condition: condition,
  });

/**
 * Throws `PreconditionFailed` where the object isn't the one asked for; true means "not modified".
 * `prefix` is `x-amz-copy-source-` for the source of a copy.
 */
export function isUnmodified(headers: Record<string, string>, object: StoredObject, prefix = ''): boolean {
  const ifMatch = headers[`${prefix}if-match`];
  const ifNoneMatch = headers[`${prefix}if-none-match`];
  const since = headers[`${prefix}if-modified-since`];
  const until = headers[`${prefix}if-unmodified-since`];
  if (ifMatch !== undefined) {
    if (!names(ifMatch, object.etag)) throw preconditionFailed('If-Match');
  } else if (until !== undefined && object.modifiedAt > Date.parse(until))
    throw preconditionFailed('If-Unmodified-Since');
  if (ifNoneMatch !== undefined) return names(ifNoneMatch, object.etag);
  return since !== undefined && object.modifiedAt <= Date.parse(since);
}

/** `If-None-Match: *` writes only what isn't there, `If-Match: <etag>` replaces only what is. */
export function writeCondition(headers: Record<string, string>, key: string): WriteCondition {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (ifNoneMatch !== undefined && (ifNoneMatch.trim() !== '*' || ifMatch !== undefined))
    throw new AwsError(
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
      501,
      {
        Header: 'If-None-Match',
      },
    );
  return (existing) => {
    if (ifNoneMatch !== undefined && existing) throw preconditionFailed('If-None-Match');
    if (ifMatch === undefined) return;
    if (!existing) throw noSuchKey(key);
    if (!names(ifMatch, existing.etag)) throw preconditionFailed('If-Match');
  };
}
