import type { EpochMetrics } from '../runFolder.ts';
import { chart } from './chart.ts';

const [TRAIN, TEST] = ['#0072b2', '#d55e00']; // told apart by every eye

/** Loss and accuracy by epoch, of training and of testing: as the bytes of a PNG file. */
export function curves(title: string, metrics: readonly EpochMetrics[]): Promise<Uint8Array> {
  const last = metrics.at(-1)!;
  const epochs = metrics.map(({ epoch }) => epoch);
  const [from, to] = [Math.min(...epochs), Math.max(...epochs)];
  const percent = (share: number) => Number((100 * share).toFixed(2));
  const panels = [
    { name: 'loss (nats)', train: metrics.map(({ trainLoss }) => trainLoss), test: metrics.map(({ testLoss }) => testLoss) }, // prettier-ignore
    { name: 'accuracy (%)', train: metrics.map(({ trainAccuracy }) => percent(trainAccuracy)), test: metrics.map(({ testAccuracy }) => percent(testAccuracy)) }, // prettier-ignore
  ];
  const after = `after epoch ${last.epoch}`;
  const said = [
    `Loss ${after}: train ${last.trainLoss.toFixed(3)}, test ${last.testLoss.toFixed(3)}`,
    `Accuracy ${after}: train ${percent(last.trainAccuracy).toFixed(2)} %, test ${percent(last.testAccuracy).toFixed(2)} %`,
  ];
  const left = [80, 620];
  const text = { color: '#222', fontSize: 14 };
  return chart(1120, 500, {
    title: [
      { text: title, left: 16, top: 14, textStyle: { fontSize: 20, color: '#222' } },
      { text: 'train: mean over an epoch, while it learns; test: after the epoch', left: 16, bottom: 6, textStyle: { fontSize: 13, fontWeight: 'normal', color: '#555' } }, // prettier-ignore
      ...said.map((text, i) => ({ text, left: left[i] - 4, top: 60, textStyle: { fontSize: 14, color: '#222' } })),
    ],
    legend: { top: 18, right: 24, itemWidth: 34, textStyle: text, data: ['train', 'test'] },
    grid: left.map((left) => ({ left, top: 96, width: 460, height: 318 })),
    xAxis: panels.map((_, i) => ({
      gridIndex: i,
      name: 'epoch',
      nameLocation: 'middle',
      nameGap: 30,
      nameTextStyle: text,
      min: from === to ? from - 1 : from,
      max: from === to ? to + 1 : to,
      minInterval: 1,
      axisLabel: { ...text, ...(from === to && { formatter: (epoch: number) => (epoch === from ? `${epoch}` : '') }) },
      splitLine: { show: false },
      axisLine: { onZero: false },
    })),
    yAxis: panels.map(({ name }, i) => ({
      gridIndex: i,
      name,
      nameLocation: 'middle',
      nameRotate: 90,
      nameGap: 48,
      nameTextStyle: text,
      ...(i === 0 ? { min: 0 } : { scale: true, max: ({ max }: { max: number }) => (max > 98 ? 100 : undefined) }),
      axisLabel: text,
    })),
    series: panels.flatMap(({ train, test }, i) =>
      [['train', TRAIN, train, 'circle', 'solid'] as const, ['test', TEST, test, 'diamond', 'dashed'] as const].map(
        ([name, color, values, symbol, type]) => ({
          name,
          type: 'line',
          xAxisIndex: i,
          yAxisIndex: i,
          data: values.map((value, k) => [epochs[k], value]),
          symbol,
          symbolSize: 9,
          showSymbol: metrics.length <= 20,
          showAllSymbol: true,
          lineStyle: { width: 2.5, type },
          itemStyle: { color },
          clip: false,
        }),
      ),
    ),
  });
}
