import { DropdownMenu } from "radix-ui";
import { Button } from "./Button";
import css from "./menu.module.css";

export interface Item {
  label: string;
  run: () => void;
  danger?: boolean;
  disabled?: boolean;
}

/** A menu of further actions. */
export function Menu({ label, items }: { label: string; items: (Item | false)[] }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <Button look="quiet" small icon="more" aria-label={label} />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className={css.menu} align="end" sideOffset={4} aria-label={label}>
          {items
            .filter((item) => !!item)
            .map((item) => (
              <DropdownMenu.Item
                key={item.label}
                className={css.item}
                data-danger={item.danger || undefined}
                disabled={item.disabled}
                onSelect={item.run}
              >
                {item.label}
              </DropdownMenu.Item>
            ))}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
