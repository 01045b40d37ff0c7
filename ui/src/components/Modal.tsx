import { Dialog } from "radix-ui";
import type { KeyboardEvent, ReactNode } from "react";
import { Button } from "./Button";
import css from "./modal.module.css";

interface Props {
  open: boolean;
  close: () => void;
  title: string;
  about?: ReactNode;
  wide?: boolean;
  children?: ReactNode;
  /** Buttons at the bottom. */
  foot?: ReactNode;
  /** Its own keys: those of the page don't work while it is open. */
  onKeyDown?: (press: KeyboardEvent) => void;
}

/** Long content can be scrolled with the keyboard. */
function reachable(body: HTMLDivElement | null) {
  if (!body) return;
  const look = () => {
    if (body.scrollHeight > body.clientHeight) body.tabIndex = 0;
    else body.removeAttribute("tabindex");
  };
  const observer = new ResizeObserver(look);
  observer.observe(body);
  return () => observer.disconnect();
}

/** A dialog: keeps the focus, closes on Escape, and gives the focus back. */
export function Modal({ open, close, title, about, wide, children, foot, onKeyDown }: Props) {
  return (
    <Dialog.Root open={open} onOpenChange={(on) => !on && close()}>
      <Dialog.Portal>
        <Dialog.Overlay className={css.overlay} />
        <Dialog.Content
          className={`${css.content} ${wide ? css.wide : ""}`}
          onKeyDown={onKeyDown}
          {...(about ? {} : { "aria-describedby": undefined })}
        >
          <header className={css.head}>
            <Dialog.Title>{title}</Dialog.Title>
            <Dialog.Close asChild>
              <Button look="quiet" small icon="cross" aria-label="Close" />
            </Dialog.Close>
          </header>
          {about && <Dialog.Description className={css.about}>{about}</Dialog.Description>}
          <div className={css.body} ref={reachable}>
            {children}
          </div>
          {foot && <footer className={css.foot}>{foot}</footer>}
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
