import pyghmi

