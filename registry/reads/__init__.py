"""What pages and lists show: one SQL a page, frozen values out."""
