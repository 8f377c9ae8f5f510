/** What a function environment writes, gathered for a moment so that logging costs no invocation anything. */
import { AwsError, type Cloud, type Principal } from '../platform.ts';
import type { FunctionConfig } from './declared.ts';

const flushAfterMs = 100;
/** An event in CloudWatch Logs has at most 256 KiB with 26 bytes of overhead. */
const lineLimit = 262_118;

export class LogLines {
  private readonly group: string;
  private readonly stream: string;
  private readonly cloud: Cloud;
  private readonly mayWrite: boolean;
  private pending: { timestamp: number; message: string }[] = [];
  private rest = '';
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(config: FunctionConfig, stream: string, cloud: Cloud) {
    this.group = config.logGroup;
    this.stream = stream;
    this.cloud = cloud;
    this.mayWrite = this.permitted({ arn: config.roleArn, kind: 'role', sessionName: config.name });
  }

  /** As on AWS, a function whose role may not write logs runs all the same, unseen. */
  private permitted(principal: Principal): boolean {
    const { region, accountId } = this.cloud;
    const arn = `arn:aws:logs:${region}:${accountId}:log-group:${this.group}:log-stream:${this.stream}`;
    try {
      this.cloud.authorize(principal, 'logs:CreateLogStream', arn);
      this.cloud.authorize(principal, 'logs:PutLogEvents', arn);
      return true;
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.cloud.log('lambda', `${principal.sessionName} can't write its log: ${error.message}`);
      return false;
    }
  }

  /** Takes raw output; a carriage return stands for a line break within one event. */
  write(chunk: Buffer): void {
    const parts = (this.rest + chunk.toString('utf8')).split('\n');
    this.rest = parts.pop() ?? '';
    for (const part of parts) if (part) this.add(part.replaceAll('\r', '\n'));
  }

  add(message: string): void {
    if (!this.mayWrite) return;
    this.pending.push({ timestamp: this.cloud.now().getTime(), message: message.slice(0, lineLimit) });
    if (this.ended) this.flush();
    else this.timer ??= setTimeout(() => this.flush(), flushAfterMs);
  }

  /** Nothing is gathered any more: a timer could outlive the cloud, and what it would write to. */
  end(): void {
    this.ended = true;
    this.flush();
  }

  private flush(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.pending.length === 0) return;
    this.cloud.appendLogs(this.group, this.stream, this.pending);
    this.pending = [];
  }
}
