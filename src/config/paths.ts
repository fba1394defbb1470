export { resolvePath, type Surroundings } from '../lib/paths.js';
