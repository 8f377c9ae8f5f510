/**
 * An error of an operator's script as it is shown: the AWS SDK says that region or credentials are missing, but not
 * where it would have found them.
 */
export function explainAwsError(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const missing = /^Region is missing/.test(message)
    ? 'AWS_REGION'
    : /^Could not load credentials/.test(message)
      ? 'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'
      : undefined;
  if (missing === undefined) return message;
  return `${message}. Set ${missing}, or a profile with AWS_PROFILE. For the embedded cloud, also set AWS_ENDPOINT_URL (README, "With AWS's own tools").`;
}
