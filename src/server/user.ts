export type { User } from '../backends/backend.js';
