"""Parts of the world that meetings may be hosted in."""

from __future__ import annotations

from enum import StrEnum


class Region(StrEnum):
    AP_SOUTH_1 = "ap-south-1"
    AP_SOUTHEAST_1 = "ap-southeast-1"
    US_EAST_1 = "us-east-1"
    EU_CENTRAL_1 = "eu-central-1"
