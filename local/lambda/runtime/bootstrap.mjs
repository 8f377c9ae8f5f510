/**
 * What runs inside a function environment: loads the handler as Lambda's Node.js runtime does and answers one
 * invocation at a time over the process channel. Plain JavaScript, so that a cold start strips no types.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

const taskRoot = process.env.LAMBDA_TASK_ROOT ?? '';
let requestId = '';

/** Lambda sends each console call as one event; a carriage return stands for a line break inside it. */
for (const [method, level] of Object.entries({
  log: 'INFO',
  info: 'INFO',
  debug: 'DEBUG',
  trace: 'TRACE',
  warn: 'WARN',
  error: 'ERROR',
})) {
  console[method] = (...values) => {
    const text = format(...values);
    const line =
      process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON'
        ? JSON.stringify({ timestamp: new Date().toISOString(), level, requestId, message: text })
        : `${new Date().toISOString()}\t${requestId}\t${level}\t${text}`;
    process.stdout.write(`${line.replaceAll('\n', '\r')}\n`);
  };
}

const failure = (error, fallback = 'Error') => ({
  errorType: error?.name ?? fallback,
  errorMessage: String(error?.message ?? error),
  trace: typeof error?.stack === 'string' ? error.stack.split('\n') : [],
});

async function loadHandler() {
  const [file = '', name = ''] = (process.env._HANDLER ?? '').split(/\.(?=[^.]*$)/);
  let loaded;
  for (const extension of ['.mjs', '.js', '.cjs']) {
    try {
      loaded = await import(pathToFileURL(join(taskRoot, file + extension)).href);
      break;
    } catch (error) {
      const isAbsent = error?.code === 'ERR_MODULE_NOT_FOUND' && error.message.includes(join(taskRoot, file));
      if (!isAbsent) throw error;
    }
  }
  const handler = loaded?.[name] ?? loaded?.default?.[name];
  if (typeof handler !== 'function') {
    const error = new Error(`${process.env._HANDLER} is undefined or not exported`);
    error.name = loaded ? 'Runtime.HandlerNotFound' : 'Runtime.ImportModuleError';
    throw error;
  }
  if (handler.length > 2) {
    const error = new Error('AWS Lambda has removed support for callback-based function handlers.');
    error.name = 'Runtime.CallbackHandlerDeprecated';
    throw error;
  }
  return handler;
}

function contextOf(invocation) {
  const endsAt = performance.now() + invocation.limitMs;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: invocation.functionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    awsRequestId: invocation.requestId,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(endsAt - performance.now())),
  };
}

async function invoke(handler, invocation) {
  requestId = invocation.requestId;
  try {
    const result = await handler(JSON.parse(invocation.event), contextOf(invocation));
    return { body: JSON.stringify(result ?? null) };
  } catch (error) {
    const facts = failure(error);
    console.error('Invoke Error', JSON.stringify(facts));
    return { body: JSON.stringify(facts), failed: true };
  }
}

process.on('disconnect', () => process.exit());
process.on('uncaughtException', (error) => {
  console.error('Uncaught Exception', JSON.stringify(failure(error)));
  process.exit(128);
});
process.on('unhandledRejection', (reason) => {
  console.error('Unhandled Promise Rejection', JSON.stringify(failure(reason)));
  process.exit(128);
});

// Faster cold starts, seen by nobody: compiled code is kept between environments.
enableCompileCache(process.argv[2]);
try {
  const handler = await loadHandler();
  flushCompileCache();
  process.on('message', async (invocation) => process.send(await invoke(handler, invocation)));
  process.send({ ready: true });
} catch (error) {
  const facts = failure(error, 'Runtime.Unknown');
  console.error('Uncaught Exception', JSON.stringify(facts));
  process.send({ initError: JSON.stringify(facts) }, () => process.exit(1));
}
