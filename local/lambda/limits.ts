/** Lambda's limits. */
export const syncPayloadLimitBytes = 6 * 1024 * 1024;
export const asyncPayloadLimitBytes = 1024 * 1024;
/** Lambda leaves some room above 6 MiB for what it adds to the answer. */
export const responseLimitBytes = 6_291_556;
export const environmentLimitBytes = 4096;
export const initLimitMs = 10_000;
export const maxTimeoutSeconds = 900;
/** An account's default: invocations running at once. */
export const accountConcurrency = 1000;

/** Names that Lambda keeps to itself. */
export const reservedVariables = new Set([
  '_HANDLER',
  '_X_AMZN_TRACE_ID',
  'AWS_DEFAULT_REGION',
  'AWS_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'AWS_LAMBDA_RUNTIME_API',
  'LAMBDA_TASK_ROOT',
  'LAMBDA_RUNTIME_DIR',
]);
