import type { CustomSeriesRenderItemAPI } from 'echarts';
import { readings } from '../../src/predict.ts';
import { dims, type Tensor } from '../../src/tensor.ts';
import { chart } from './chart.ts';
import { FONT } from './drawPage.ts';

/**
 * How many images of each class were read as each: row the true class, column what was read.
 *
 *     probabilities (N, K)    labels: N classes
 *
 * @throws RangeError if a probability is no number, or a label no class
 */
export function confusion(probabilities: Tensor, labels: Uint8Array): readonly (readonly number[])[] {
  const [, K] = dims('confusion: probabilities', probabilities, [labels.length, 'K']);
  const counts = Array.from({ length: K }, () => Array<number>(K).fill(0));
  readings(probabilities).forEach(({ digit }, n) => {
    if (digit < 0) throw new RangeError(`confusion: the probabilities of image ${n} have NaN, expected numbers`);
    if (labels[n] >= K) throw new RangeError(`confusion: label ${n} is ${labels[n]}, expected a class below ${K}`);
    counts[labels[n]][digit]++;
  });
  return counts;
}

const commas = (count: number) => count.toLocaleString('en');

/** From white to a colour, as far as a share goes. */
const mixed = (colour: readonly number[], share: number) =>
  `rgb(${colour.map((value) => Math.round(255 + (value - 255) * share)).join(',')})`;
const [RIGHT, WRONG] = [[33, 102, 172], [178, 24, 43]]; // prettier-ignore

/** The counts of confusion as a table: as the bytes of a PNG file. */
export function confusionChart(
  title: string,
  counts: readonly (readonly number[])[],
  names: readonly string[],
): Promise<Uint8Array> {
  const totals = counts.map((row) => row.reduce((sum, count) => sum + count, 0));
  const shareOf = (row: number, column: number) => (totals[row] === 0 ? 0 : counts[row][column] / totals[row]);
  const worst = Math.max(...counts.flatMap((row, i) => row.map((_, j) => (i === j ? 0 : shareOf(i, j)))));
  const cells = counts.flatMap((row, i) =>
    row.map((count, j) => {
      // The mistakes have a scale of their own, or the diagonal would drown them.
      const share = i === j ? 0.75 * shareOf(i, j) : worst === 0 ? 0 : 0.9 * (shareOf(i, j) / worst) ** 0.7;
      return {
        ...{ i, j, text: commas(count), fill: mixed(i === j ? RIGHT : WRONG, share) },
        ink: count === 0 ? '#bbb' : share > 0.5 ? '#fff' : '#222',
      };
    }),
  );
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const label = { color: '#222', fontSize: 15, interval: 0 };
  const name = { nameLocation: 'middle', nameTextStyle: { color: '#222', fontSize: 15 } } as const;
  const plain = { axisLine: { show: false }, axisTick: { show: false } };
  const words = names.some(({ length }) => length > 1);
  const left = words ? 150 : 80;
  const note = { fontSize: 13, fontWeight: 'normal', color: '#444' } as const;
  return chart(left + 680 + 100, 860, {
    title: [
      { text: title, left: 16, top: 14, textStyle: { fontSize: 20, color: '#222' } },
      { text: `Blue: read rightly. Red: mistakes, the darkest ${percent(worst)} of the images of its row.`, left: 16, top: 46, textStyle: note }, // prettier-ignore
    ],
    grid: { left, top: 100, width: 680, height: 680 },
    xAxis: {
      ...{ type: 'category', data: [...names], ...name, ...plain, name: 'read', nameGap: words ? 62 : 34 },
      axisLabel: { ...label, ...(words && { rotate: 35 }) },
    },
    yAxis: [
      { type: 'category', data: [...names], inverse: true, ...name, ...plain, name: 'true', nameGap: words ? 110 : 40, axisLabel: label }, // prettier-ignore
      {
        ...{ type: 'category', inverse: true, ...plain, position: 'right', axisLabel: label },
        ...{
          name: 'right',
          nameLocation: 'start',
          nameGap: 12,
          nameTextStyle: { color: '#222', fontSize: 15, align: 'left', padding: [0, 0, 0, 8] },
        },
        data: counts.map((_, i) => (totals[i] === 0 ? '–' : percent(shareOf(i, i)))),
      },
    ],
    series: [
      {
        type: 'custom',
        data: cells.map(({ i, j }) => [j, i]),
        renderItem: ({ dataIndex }: { dataIndex: number }, { coord, size }: CustomSeriesRenderItemAPI) => {
          const { i, j, text, fill, ink } = cells[dataIndex];
          const [[x, y], [width, height]] = [coord([j, i]), size!([1, 1]) as number[]];
          const shape = { x: x - width / 2, y: y - height / 2, width, height };
          const letters = { text, x, y, fill: ink, fontSize: 16, fontFamily: FONT, align: 'center', verticalAlign: 'middle' }; // prettier-ignore
          return {
            type: 'group',
            children: [
              { type: 'rect', shape, style: { fill, stroke: '#ddd' } },
              { type: 'text', style: letters },
            ],
          };
        },
      },
    ],
  });
}
