"""What nvdisasm writes of a small kernel."""

from __future__ import annotations

TEXT = """
//--------------------- .text.k         --------------------------
	.section	.text.k,"ax",@progbits
k:
.text.k:
        /*0000*/                   MOV R1, c[0x0][0x28] ;
        /*0010*/                   STL [R1], R1                    (*"SpillRefill"*);
.L_x_0:
        /*0020*/                   LDL R9, [R1] ;
.L_x_1:
        /*0030*/                   BAR.SYNC.DEFER_BLOCKING R8, 0xc0 ;
        /*0040*/                   LDS.64 R4, [R2] ;
        /*0050*/                   BRA.DIV UR4, `(.L_x_3) ;
.L_x_2:
        /*0060*/                   FFMA R6, R5, R3, R9 ;
        /*0070*/                   MUFU.TANH R6, R6 ;
        /*0080*/              @!P1 FADD R6, R3, 1 ;
        /*0090*/                   STS [R2+0x10], R6 ;
        /*00a0*/                   BAR.ARV R7, 0xc0 ;
        /*00b0*/                   ISETP.GE.AND P0, PT, R6, c[0x0][0x1c0], PT ;
        /*00c0*/              @!P0 BRA `(.L_x_1) ;
        /*00d0*/              @!P1 BRA `(.L_x_0) ;
        /*00e0*/                   EXIT ;
.L_x_3:
        /*00f0*/                   LDL R4, [R1+0x4] ;
        /*0100*/                   BRA `(.L_x_2) ;
.L_x_4:
//--------------------- .text.other         --------------------------
.text.other:
        /*0000*/                   STL [R1], R1 ;
"""
"""Two loops, one in the other; a part of the inner one is moved behind the kernel's end."""

ROLES = """
.text.k:
.L_x_1:
        /*0000*/                   STS [R2+0x10], R6 ;
        /*0010*/                   BAR.ARV R7, 0x80 ;
        /*0020*/                   BAR.SYNC R8, 0xc0 ;
        /*0030*/               @P1 BRA `(.L_x_2) ;
        /*0040*/                   IMMA.16832.S8.S8 R4, R8.ROW, R12.COL, R4 ;
.L_x_2:
        /*0050*/              @!P0 BRA `(.L_x_1) ;
.L_x_3:
        /*0060*/                   BAR.SYNC R8, 0x80 ;
        /*0070*/                   HMMA.16816.F32 R4, R8, R12, R4 ;
        /*0080*/                   BAR.ARV R7, 0xc0 ;
        /*0090*/               @P2 STG.E.64 [R2], R4 ;
        /*00a0*/              @!P0 BRA `(.L_x_3) ;
        /*00b0*/                   EXIT ;
"""
"""The loops of the layers of residual and older warps."""
