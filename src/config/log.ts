import { z } from 'zod';
import { choice } from './fields.ts';

export const logSchema = z.strictObject({
  level: choice(['trace', 'debug', 'info', 'warn', 'error']).prefault('info').meta({
    description: 'The least important messages that are written.',
  }),
});
