import { fileURLToPath } from 'node:url';

/** Absolute path of the checkout this file is in. */
export const CHECKOUT: string = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
