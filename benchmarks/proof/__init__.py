"""The programs behind the claim of gpo+: headroom screen, replay of allocation rules, end-to-end comparison."""
