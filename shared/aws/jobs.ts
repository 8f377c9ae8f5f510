/** AWS Batch, as far as an experiment's jobs need it. */
import {
  BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  type JobSummary,
  type ListJobsCommandInput,
  paginateDescribeJobDefinitions,
  paginateListJobs,
  RegisterJobDefinitionCommand,
  type RegisterJobDefinitionCommandInput,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';

export type JobStatus =
  | 'SUBMITTED'
  | 'PENDING'
  | 'RUNNABLE'
  | 'STARTING'
  | 'RUNNING'
  | 'SUCCEEDED'
  | 'FAILED';

/** A Batch job, the same whether DescribeJobs or an event told of it. Times in epoch milliseconds. */
export interface Job {
  id: string;
  name: string;
  /** Name of its queue. */
  queue: string;
  status: JobStatus;
  /** Batch's own words: why it waits or how it ended. */
  statusReason?: string | undefined;
  /** The container agent's own words. */
  containerReason?: string | undefined;
  exitCode?: number | undefined;
  /** The end of its log, where that was looked at. */
  lastLines?: string[] | undefined;
  logStream?: string | undefined;
  createdAt?: number | undefined;
  startedAt?: number | undefined;
  stoppedAt?: number | undefined;
  tags: Record<string, string>;
}

/** What events and DescribeJobs both carry; only the three identifying fields are certain. */
export type JobReport = Pick<JobDetail, 'jobId' | 'jobName' | 'jobQueue' | 'status'> &
  Partial<Pick<JobDetail, 'statusReason' | 'createdAt' | 'startedAt' | 'stoppedAt' | 'tags'>> & {
    container?: { exitCode?: number; reason?: string; logStreamName?: string };
    attempts?: {
      statusReason?: string;
      container?: { exitCode?: number; reason?: string; logStreamName?: string };
    }[];
  };

/** `undefined` for what is no report of a single job. */
export function jobOf(report: JobReport): Job | undefined {
  const { jobId, jobName, jobQueue, status } = report;
  if (!jobId || !jobName || !jobQueue || !status) return undefined;
  // A job that never had a container says why in its attempt only.
  const last = report.attempts?.at(-1);
  return {
    id: jobId,
    name: jobName,
    queue: jobQueue.slice(jobQueue.lastIndexOf('/') + 1),
    status,
    statusReason: report.statusReason ?? last?.statusReason,
    containerReason: report.container?.reason ?? last?.container?.reason,
    exitCode: report.container?.exitCode ?? last?.container?.exitCode,
    logStream: report.container?.logStreamName ?? last?.container?.logStreamName,
    // Batch reports 0 for times that have not come yet.
    createdAt: report.createdAt || undefined,
    startedAt: report.startedAt || undefined,
    stoppedAt: report.stoppedAt || undefined,
    tags: report.tags ?? {},
  };
}

export interface Jobs {
  /** Jobs by id, at most 100; one that Batch has forgotten (after 7 days) is missing. */
  describe(ids: string[]): Promise<Job[]>;
  /** The newest job of that name in the queue, in whatever state. */
  findByName(queue: string, name: string): Promise<Job | undefined>;
  /** How many jobs of the queue hold a host: those in STARTING and RUNNING. */
  countPlaced(queue: string): Promise<number>;
  /** Ends a job in any state; ending an ended or forgotten one does nothing. */
  terminate(id: string, reason: string): Promise<void>;
}

/** Batch counts its calls per account: many experiments at once must slow each other down, not fail each other. */
const patientClient = () => new BatchClient({ retryMode: 'adaptive', maxAttempts: 5 });

export function createJobs(client: BatchClient = patientClient()): Jobs {
  const describe = async (ids: string[]) => {
    const { jobs = [] } = await client.send(new DescribeJobsCommand({ jobs: ids }));
    return jobs.flatMap((job) => jobOf(job as JobReport) ?? []);
  };
  /** Of every page: one may be empty and still lead to another. */
  const list = async (input: ListJobsCommandInput): Promise<JobSummary[]> => {
    const found: JobSummary[] = [];
    for await (const { jobSummaryList = [] } of paginateListJobs({ client }, input))
      found.push(...jobSummaryList);
    return found;
  };
  return {
    describe,
    async findByName(queue, name) {
      const found = await list({ jobQueue: queue, filters: [{ name: 'JOB_NAME', values: [name] }] });
      const newest = found.sort((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0))[0]?.jobId;
      return newest ? (await describe([newest]))[0] : undefined;
    },
    async countPlaced(queue) {
      const [starting, running] = await Promise.all([
        list({ jobQueue: queue, jobStatus: 'STARTING' }),
        list({ jobQueue: queue, jobStatus: 'RUNNING' }),
      ]);
      return starting.length + running.length;
    },
    async terminate(id, reason) {
      await client.send(new TerminateJobCommand({ jobId: id, reason: reason.slice(0, 1000) }));
    },
  };
}

export interface JobDefinitions {
  /** ARN of the ACTIVE definition of that name, registered now where there is none. */
  ensure(definition: RegisterJobDefinitionCommandInput & { jobDefinitionName: string }): Promise<{
    arn: string;
    reused: boolean;
  }>;
}

/** Definitions are immutable under their name, which is made of their content: any active revision will do. */
export function createJobDefinitions(client: BatchClient = patientClient()): JobDefinitions {
  return {
    async ensure(definition) {
      const pages = paginateDescribeJobDefinitions(
        { client },
        { jobDefinitionName: definition.jobDefinitionName, status: 'ACTIVE', maxResults: 1 },
      );
      for await (const { jobDefinitions = [] } of pages) {
        const known = jobDefinitions[0]?.jobDefinitionArn;
        if (known) return { arn: known, reused: true };
      }
      const { jobDefinitionArn } = await client.send(new RegisterJobDefinitionCommand(definition));
      return { arn: jobDefinitionArn ?? definition.jobDefinitionName, reused: false };
    },
  };
}
