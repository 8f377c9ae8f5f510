/** How callers name functions: by name, by ARN or part of one, with a qualifier or without. */
import { AwsError, type Cloud } from '../platform.ts';

const pattern =
  /^(?:arn:aws[a-zA-Z-]*:lambda:)?(?:([a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(\d{12}):)?(?:function:)?([a-zA-Z0-9-_.]{1,140})(?::(\$LATEST|[a-zA-Z0-9-_]+))?$/;

export interface FunctionReference {
  name: string;
  /** Of the function as it was named: what policies are asked about. */
  arn: string;
  /** A version or alias, of which there are none here; absent for `$LATEST`. */
  qualifier?: string;
}

/** Throws AWS's own refusals: of what names no function, and of functions elsewhere. `qualifier` is the parameter. */
export function parseFunctionReference(
  cloud: Pick<Cloud, 'region' | 'accountId'>,
  named: string,
  qualifier?: string | null,
): FunctionReference {
  const [, region = cloud.region, account = cloud.accountId, name = '', own] = pattern.exec(named) ?? [];
  if (!name)
    throw new AwsError(
      'ValidationException',
      `1 validation error detected: Value '${named}' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: ${pattern.source}`,
    );
  if (qualifier && own && own !== qualifier)
    throw new AwsError(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  if (region !== cloud.region)
    throw new AwsError(
      'ResourceNotFoundException',
      `Functions from '${region}' are not reachable in this region ('${cloud.region}')`,
      404,
    );
  const asked = qualifier || own;
  const arn = `arn:aws:lambda:${region}:${account}:function:${name}`;
  return {
    // A function of another account is none of ours.
    name: account === cloud.accountId ? name : arn,
    arn: asked ? `${arn}:${asked}` : arn,
    ...(asked && asked !== '$LATEST' && { qualifier: asked }),
  };
}
