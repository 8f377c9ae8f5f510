/** Schemas that every resource uses. Strict objects everywhere: an unknown field is an error, not a surprise. */
import * as z from 'zod';
import { isOneLine } from '../text/one-line.ts';

export const timestamp = z.iso
  .datetime()
  .meta({ description: 'ISO 8601, UTC', example: '2026-11-21T09:00:00.000Z' });

/**
 * A time to compare with those of records, which have milliseconds: written as they are, whatever its digits. What lies
 * between two milliseconds is the later one, so that "at this time or later" and "before" stay true.
 */
export const moment = z.lazy(() =>
  timestamp.transform((text) => {
    const isBetween = /\.\d{3}\d*[1-9]/.test(text);
    return new Date(Date.parse(text) + (isBetween ? 1 : 0)).toISOString();
  }),
);

export const roles = ['viewer', 'editor', 'admin'] as const;
export type Role = (typeof roles)[number];
export const roleSchema = z.enum(roles).meta({ id: 'Role' });

/** What people call something. */
export const lineOfText = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .refine(
      isOneLine,
      'must be one line of visible text, without characters that are invisible or change its direction',
    );

/** A query parameter that is `true` or `false`. */
export const flag = (otherwise: boolean) =>
  z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .default(otherwise)
    .meta({ type: 'boolean' });

/** A query parameter that is a number, in decimal digits: `z.coerce` would take an empty text for 0 and `0x10` for 16. */
export const numberParameter = <T extends z.ZodNumber>(schema: T) =>
  z.preprocess(
    (text) => (typeof text === 'string' && /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text),
    schema,
  );

/** A page of `item`s; `nextCursor` is absent on the last. `id` names it in the OpenAPI document. */
export const pageOf = <T extends z.ZodType>(id: string, item: T) =>
  z
    .object({
      items: z.array(item),
      nextCursor: z.string().optional().meta({
        description:
          'Absent on the last page. With `q` or several filters, earlier pages can have fewer items than `limit`, or none.',
      }),
    })
    .meta({ id });

/** Orders of a list: by one of `columns`, with `-` in front descending. `id` names them in the OpenAPI document. */
export const sortBy = (id: string, columns: readonly string[]) =>
  z
    .enum(columns.flatMap((column) => [column, `-${column}`]) as [string, ...string[]])
    .meta({ id })
    .default('-createdAt');

/** Query parameters of every list. */
export const listQuery = (sort: ReturnType<typeof sortBy>) => ({
  limit: numberParameter(z.int().min(1).max(100)).prefault(50),
  cursor: z.string().max(2000).optional(),
  sort,
});

/** Query parameters of logs and events: `wait` seconds for something new to come. */
export const followQuery = {
  cursor: z.string().max(2000).optional(),
  limit: numberParameter(z.int().min(1).max(1000)).prefault(200),
  wait: numberParameter(z.number().min(0).max(25)).prefault(0).meta({
    description:
      'How many seconds to wait for new entries. If many of your requests are waiting already, Slipway answers at once, with no entries and a cursor to continue from.',
  }),
};

/** One entry of a timeline (E24): a build's or an experiment's. */
export const eventSchema = z.lazy(() =>
  z
    .object({
      time: timestamp,
      seq: z.int().meta({ description: 'Position in the timeline, counted from 0.' }),
      code: z.string().meta({ description: 'A stable code that clients can branch on.' }),
      message: z.string(),
      detail: z.record(z.string(), z.unknown()).meta({ id: 'EventDetail' }).optional(),
      durationMs: z.number().optional().meta({ description: 'How long the previous state lasted.' }),
    })
    .meta({ id: 'Event' }),
);
export type TimelineEvent = z.infer<typeof eventSchema>;

export const logLineSchema = z.lazy(() =>
  z
    .object({
      time: timestamp,
      stream: z.enum(['output', 'system']).meta({
        id: 'LogStream',
        description:
          "`output`: the command or a step of the Dockerfile printed the line. AWS's log driver merges standard output and standard error. `system`: CodeBuild or Slipway's builder printed the line.",
      }),
      attempt: z.int().optional(),
      text: z.string(),
    })
    .meta({ id: 'LogLine' }),
);
export type LogLine = z.infer<typeof logLineSchema>;

const complete = z.boolean().meta({
  description: 'Whether this is the end. If true, `nextCursor` is absent.',
});
const followed = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().optional(), complete });

/** Pages of what is followed: logs and timelines. */
export const logPageSchema = z.lazy(() => followed(logLineSchema).meta({ id: 'LogPage' }));
export const eventPageSchema = z.lazy(() => followed(eventSchema).meta({ id: 'EventPage' }));
