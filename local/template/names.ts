/** Names of resources that a template leaves unnamed: the same at every start. */
import { createHash } from 'node:crypto';

/** CloudFormation's own way to name what the template leaves unnamed: stack, logical id, some characters. */
export function generatedName(declared: { stack: string; logicalId: string }, limit = 64): string {
  const suffix = createHash('sha256')
    .update(`${declared.stack}/${declared.logicalId}`)
    .digest('hex')
    .slice(0, 12);
  return `${`${declared.stack}-${declared.logicalId}`.slice(0, limit - 13)}-${suffix}`;
}
