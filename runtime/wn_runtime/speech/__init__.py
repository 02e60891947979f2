"""From text to phones, and the phones of a recording with their times. No audio is made here."""
