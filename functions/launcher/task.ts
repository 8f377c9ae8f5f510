/** What the state machine asks of the launcher. */
import * as z from 'zod';

const work = { organisation: z.string().min(1), experimentId: z.string().min(1) };

export const taskSchema = z.discriminatedUnion('action', [
  z.object({ ...work, action: z.literal('prepare') }),
  z.object({
    ...work,
    action: z.literal('settle'),
    // A job that failed comes in the error's Cause, and of an attempt without a job there is nothing.
    job: z.unknown().optional(),
    error: z.object({ Error: z.string().optional(), Cause: z.string().optional() }).optional(),
  }),
]);
