export { dense } from './dense.ts';
export { page3 } from './page3.ts';
export { page3TwoConv } from './page3TwoConv.ts';
