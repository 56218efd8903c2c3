import {
  createTheme,
  localStorageColorSchemeManager,
  type CSSVariablesResolver,
  type MantineColorsTuple,
} from '@mantine/core';

const accent: MantineColorsTuple = [
  '#ebedfb',
  '#d3d8f6',
  '#b0b8ef',
  '#8d98e8',
  '#6c7ae0',
  '#5866da',
  '#4453c9',
  '#3a48b8',
  '#303c9c',
  '#262f7c',
];

/** Mantine's surfaces in dark mode: 0 text … 4 borders, 5 hover, 6 inputs, 7 body, 9 lowest. The same values as styles/tokens.css. */
const dark: MantineColorsTuple = [
  '#e7eaf0',
  '#b0b9c7',
  '#8f9aab',
  '#6d7787',
  '#384252',
  '#2a323e',
  '#181d25',
  '#14181f',
  '#0f1319',
  '#0d1015',
];

/** The key is also read by public/color-scheme.js before the first paint. */
export const colorScheme = localStorageColorSchemeManager({ key: 'sluice-color-scheme' });

export const theme = createTheme({
  colors: { accent, dark },
  primaryColor: 'accent',
  primaryShade: { light: 6, dark: 5 },
  fontFamily: 'var(--font)',
  fontFamilyMonospace: 'var(--mono)',
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  defaultRadius: 6,
  cursorType: 'pointer',
  respectReducedMotion: true,
  // Plain objects instead of Component.extend: naming a component here would load it with the first page.
  components: {
    Button: { defaultProps: { size: 'xs' } },
    ActionIcon: { defaultProps: { variant: 'subtle', color: 'gray', size: 28 } },
    Modal: {
      defaultProps: { radius: 12, overlayProps: { backgroundOpacity: 0.4 }, transitionProps: { duration: 120 } },
      styles: { title: { fontSize: 15, fontWeight: 640 } },
    },
  },
});

/** Mantine's own surfaces follow our tokens, so that both are tuned in one place: styles/tokens.css. */
export const cssVariables: CSSVariablesResolver = () => {
  const shared = {
    '--mantine-color-body': 'var(--surface)',
    '--mantine-color-text': 'var(--text)',
    '--mantine-color-dimmed': 'var(--text-3)',
    '--mantine-color-placeholder': 'var(--text-3)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-hover': 'var(--hover)',
    '--mantine-color-default-color': 'var(--text)',
    '--mantine-color-default-border': 'var(--line-strong)',
    '--mantine-color-gray-light-color': 'var(--text-2)',
    '--mantine-color-gray-light-hover': 'var(--hover)',
    '--mantine-color-error': 'var(--s-failed-fg)',
  };
  return { variables: {}, light: shared, dark: shared };
};
